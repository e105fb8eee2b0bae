SELECT relaties.client.id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND relaties.client.id IN (SELECT relaties.client_label.client_id
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.label_id = $2::UUID UNION SELECT label_use.client_id
FROM (SELECT relaties.registration.id AS id,
  relaties.registration.client_id AS client_id,
  relaties.registration.project_id AS project_id,
  relaties.registration.status AS status
FROM relaties.registration_label JOIN relaties.registration ON relaties.registration.tenant_id = $1::UUID AND relaties.registration.id = relaties.registration_label.registration_id
WHERE relaties.registration_label.tenant_id = $1::UUID AND relaties.registration_label.label_id = $2::UUID) AS label_use) ORDER BY relaties.client.id FOR NO KEY UPDATE
