"""Frame → answer: what changed, who came back, when to switch."""
