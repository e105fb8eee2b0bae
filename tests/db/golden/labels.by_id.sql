SELECT relaties.label.id AS id,
  relaties.label.name_key AS name_key,
  relaties.label.name AS name,
  relaties.label.color AS color,
  relaties.label.is_active AS is_active,
  relaties.label.version AS version
FROM relaties.label
WHERE relaties.label.tenant_id = $1::UUID AND relaties.label.id = ANY ($2::UUID[])
