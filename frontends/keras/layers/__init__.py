"""How the layers of each family become operators; one dialect, upgraded before."""
