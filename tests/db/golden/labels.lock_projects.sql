SELECT relaties.project.id
FROM relaties.project
WHERE relaties.project.tenant_id = $1::UUID AND relaties.project.id IN (SELECT label_use.project_id
FROM (SELECT relaties.registration.id AS id,
  relaties.registration.client_id AS client_id,
  relaties.registration.project_id AS project_id,
  relaties.registration.status AS status
FROM relaties.registration_label JOIN relaties.registration ON relaties.registration.tenant_id = $1::UUID AND relaties.registration.id = relaties.registration_label.registration_id
WHERE relaties.registration_label.tenant_id = $1::UUID AND relaties.registration_label.label_id = $2::UUID) AS label_use) ORDER BY relaties.project.id FOR SHARE
