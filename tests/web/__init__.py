"""The pages: one file per action, each asked as one of the cast would."""
