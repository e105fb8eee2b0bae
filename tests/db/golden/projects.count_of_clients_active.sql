SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.project
WHERE relaties.project.tenant_id = $1::UUID AND relaties.project.client_id = asked.id AND relaties.project.archived_at IS NULL) AS count
FROM unnest($2::UUID[]) AS asked(id)
