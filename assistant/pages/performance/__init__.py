"""业绩: what she sold, where she stands, and the orders behind every number."""
