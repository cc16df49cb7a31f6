"""Finding cameras: who is there (WS-Discovery) and what streams they offer (ONVIF); nothing is stored here."""
