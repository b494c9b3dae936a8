"""Layers shared by generators and critics."""
