"""How a network is trained: its settings, its first weights, its checkpoints."""
