SELECT set_config('app.guard',
  'off',
  true)
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID
