"""A module for each section of the page: its notes, tables and figures."""
