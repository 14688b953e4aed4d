"""The operator set, one file a family; the same file names stand in every room."""
