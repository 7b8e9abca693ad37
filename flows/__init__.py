"""What a person starts: the flows, their settings and the `digits` command."""
