"""The API as the client sees it: its description, lists, documents, keys and errors."""
