"""What ties a run to the studio: arguments, claim, events, questions and reports."""
