"""Rules of portals. Whoever sees a client sees its portals, what they show and to whom: the portals themselves hold no figures."""

from db import portals as rows
from domain.scope import Permission, require

MOST = 20  # of a client
MOST_SHOWN = 100  # projects, and contacts, of a portal

of_clients = require(Permission.CLIENTS_READ, rows.of_clients.first(MOST))
"""The portals of each client, the newest first, closed ones too."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)
projects = require(Permission.CLIENTS_READ, rows.projects.first(MOST_SHOWN))
"""The projects that each portal shows, the newest first."""
contacts = require(Permission.CLIENTS_READ, rows.contacts.first(MOST_SHOWN))
"""The contacts who have access to each portal, by name."""
