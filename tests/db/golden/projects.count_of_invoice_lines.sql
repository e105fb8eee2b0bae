SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.invoice_line
WHERE relaties.invoice_line.tenant_id = $1::UUID AND relaties.invoice_line.project_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
