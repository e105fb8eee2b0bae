SELECT relaties.label.id AS id,
  relaties.label.name_key AS name_key,
  relaties.label.name AS name,
  relaties.label.color AS color,
  relaties.label.is_active AS is_active,
  relaties.label.version AS version,
  relaties.registration_label.registration_id AS registration_id
FROM relaties.registration_label JOIN relaties.label ON relaties.label.tenant_id = $1::UUID AND relaties.label.id = relaties.registration_label.label_id
WHERE relaties.registration_label.tenant_id = $1::UUID AND relaties.registration_label.registration_id = ANY ($2::UUID[]) ORDER BY relaties.registration_label.registration_id,
  relaties.label.name_key,
  relaties.label.id
