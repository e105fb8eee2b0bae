"""Read portals. A caller who may read a client may read its portals, since portals contain no amounts."""

from db.queries import portals as rows
from domain.core.scope import Permission, require

MAX_PORTALS = 20  # per client
MAX_LISTED = 100  # projects per portal, and contacts per portal

of_clients = require(Permission.CLIENTS_READ, rows.of_clients.limit(MAX_PORTALS))
"""Return the portals of each client, newest first, including closed portals."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)
projects = require(Permission.CLIENTS_READ, rows.projects.limit(MAX_LISTED))
"""Return the projects that each portal shows, newest first."""
contacts = require(Permission.CLIENTS_READ, rows.contacts.limit(MAX_LISTED))
"""Return the contacts who have access to each portal, by name."""
