"""The files of documents as they are: stored by content, checked at the door, read for their text in a sandbox."""
