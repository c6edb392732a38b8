"""What the dashboard costs, and how soon it shows something of a large store."""
