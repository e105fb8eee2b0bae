SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.api_token
WHERE relaties.api_token.tenant_id = $1::UUID AND relaties.api_token.tenant_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
