SELECT relaties.erase_traces($1::UUID,
  $2::UUID[]) AS erase_traces_1
FROM relaties.organization
WHERE relaties.organization.tenant_id = $3::UUID
