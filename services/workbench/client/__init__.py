"""The source archive of the API's client."""
