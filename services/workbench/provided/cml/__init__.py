"""The platform's package: the part that the workbench has."""
