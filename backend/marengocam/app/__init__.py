"""What runs only inside the Home Assistant app (addon/): its options, its database, the Supervisor, its watchdog."""
