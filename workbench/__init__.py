"""The flow-pack workbench: browse, step, mock, answer and watch flow packs in a terminal."""

__version__ = "0.1.0"
