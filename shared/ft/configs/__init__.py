"""Settings that configs may hold, as far as client, services and jobs agree on them."""
