"""The Web API: one file per family of methods, each method registered where it is written."""
