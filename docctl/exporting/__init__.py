"""What leaves docctl: workbooks, documents, evidence."""
