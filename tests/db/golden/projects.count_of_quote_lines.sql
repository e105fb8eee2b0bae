SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.quote_line
WHERE relaties.quote_line.tenant_id = $1::UUID AND relaties.quote_line.project_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
