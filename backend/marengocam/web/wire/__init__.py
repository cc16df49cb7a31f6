"""What travels over the API: one declaration per model validates, encodes and documents it."""
