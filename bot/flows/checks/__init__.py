"""What ``legato check`` looks at in flows, one module for each kind of thing."""
