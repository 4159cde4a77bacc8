"""Reports from the records, for people and for machines."""
