"""Tables of jobs, of their events, and the states that a record may have."""
