"""Flows as pictures, for those who design and read them: Mermaid, SVG, and plain text. Nothing is fetched and nothing else is needed."""
