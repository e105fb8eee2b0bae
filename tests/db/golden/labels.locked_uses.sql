SELECT (SELECT count(*) AS count_1
FROM relaties.client_label JOIN relaties.client ON relaties.client.tenant_id = $1::UUID AND relaties.client.id = relaties.client_label.client_id
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.label_id = $2::UUID AND relaties.client.archived_at IS NOT NULL) AS clients,
  (SELECT count(*) AS count_2
FROM (SELECT relaties.registration.id AS id,
  relaties.registration.client_id AS client_id,
  relaties.registration.project_id AS project_id,
  relaties.registration.status AS status
FROM relaties.registration_label JOIN relaties.registration ON relaties.registration.tenant_id = $1::UUID AND relaties.registration.id = relaties.registration_label.registration_id
WHERE relaties.registration_label.tenant_id = $1::UUID AND relaties.registration_label.label_id = $2::UUID) AS label_use JOIN relaties.client ON relaties.client.tenant_id = $1::UUID AND relaties.client.id = label_use.client_id LEFT OUTER JOIN relaties.project ON relaties.project.tenant_id = $1::UUID AND relaties.project.id = label_use.project_id
WHERE relaties.client.archived_at IS NOT NULL OR relaties.project.archived_at IS NOT NULL OR label_use.status = 'APPROVED' OR label_use.status = 'INVOICED' OR label_use.status = 'WRITTEN_OFF') AS registrations
