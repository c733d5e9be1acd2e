"""券: what a guide may give, whom she gives it to, what became of it, and what her store redeems."""
