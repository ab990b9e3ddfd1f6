"""The description of the HTTP interface, OpenAPI 3.1, worked out from the responders, the commands and the answers."""
