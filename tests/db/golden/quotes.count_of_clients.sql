SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.quote
WHERE relaties.quote.tenant_id = $1::UUID AND relaties.quote.client_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
