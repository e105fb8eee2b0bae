SELECT relaties.registration.id AS id,
  relaties.registration.client_id AS client_id,
  relaties.registration.project_id AS project_id,
  relaties.registration.member_id AS member_id,
  relaties.registration.kind AS kind,
  relaties.registration.registered_on AS registered_on,
  relaties.registration.is_billable AS is_billable,
  relaties.registration.status AS status,
  relaties.registration.client_status AS client_status,
  relaties.registration.note AS note,
  relaties.registration.minutes AS minutes,
  relaties.registration.started_at AS started_at,
  relaties.registration.ended_at AS ended_at,
  CAST(relaties.registration.quantity AS TEXT) AS quantity,
  CAST(relaties.registration.distance_km AS TEXT) AS distance_km,
  relaties.registration.departure AS departure,
  relaties.registration.destination AS destination,
  relaties.registration.trip_type AS trip_type,
  relaties.client.archived_at IS NOT NULL OR relaties.project.archived_at IS NOT NULL AS is_archived,
  relaties.registration.created_at AS created_at,
  relaties.registration.updated_at AS updated_at,
  relaties.registration.version AS version
FROM relaties.registration JOIN relaties.client ON relaties.client.tenant_id = $1::UUID AND relaties.client.id = relaties.registration.client_id LEFT OUTER JOIN relaties.project ON relaties.project.tenant_id = $1::UUID AND relaties.project.id = relaties.registration.project_id JOIN (SELECT relaties.registration.id AS id,
  relaties.registration.registered_on AS key
FROM relaties.registration
WHERE relaties.registration.tenant_id = $1::UUID ORDER BY relaties.registration.registered_on DESC,
  relaties.registration.id DESC
 LIMIT $2::INTEGER) AS page ON page.id = relaties.registration.id
WHERE relaties.registration.tenant_id = $1::UUID ORDER BY page.key DESC,
  page.id DESC
