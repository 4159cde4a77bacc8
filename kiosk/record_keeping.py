"""What the pages about the records ask for, made from the journal of this gate."""
