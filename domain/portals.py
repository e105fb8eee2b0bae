"""Read portals. Whoever sees a client sees its portals, what they show and to whom; portals hold no amounts."""

from db.queries import portals as rows
from domain.core.scope import Permission, require

MAX_PORTALS = 20  # of a client
MAX_LISTED = 100  # projects, and contacts, of a portal

of_clients = require(Permission.CLIENTS_READ, rows.of_clients.limit(MAX_PORTALS))
"""The portals of each client, the newest first, closed ones too."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)
projects = require(Permission.CLIENTS_READ, rows.projects.limit(MAX_LISTED))
"""Return the projects that each portal shows, newest first."""
contacts = require(Permission.CLIENTS_READ, rows.contacts.limit(MAX_LISTED))
"""The contacts who have access to each portal, by name."""
