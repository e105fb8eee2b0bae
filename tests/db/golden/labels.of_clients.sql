SELECT relaties.label.id AS id,
  relaties.label.name_key AS name_key,
  relaties.label.name AS name,
  relaties.label.color AS color,
  relaties.label.is_active AS is_active,
  relaties.label.version AS version,
  relaties.client_label.client_id AS client_id
FROM relaties.client_label JOIN relaties.label ON relaties.label.tenant_id = $1::UUID AND relaties.label.id = relaties.client_label.label_id
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = ANY (CAST((SELECT $2::UUID[] AS ids) AS UUID[])) ORDER BY relaties.client_label.client_id,
  relaties.label.name_key,
  relaties.label.id
