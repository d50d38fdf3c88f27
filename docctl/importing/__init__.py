"""What comes in from elsewhere: real documents, registers and histories, each doubt shown to a person."""
