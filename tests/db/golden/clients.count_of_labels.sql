SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.label_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
