"""The door: files, lists and dataframes on one side, checked numpy columns on the other."""
