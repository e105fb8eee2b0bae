SELECT page.id,
  page.client_id,
  page.name,
  page.code,
  page.starts_on,
  page.ends_on,
  page.invoice_method,
  page.invoice_reference,
  page.archived_at,
  page.version
FROM unnest($1::UUID[]) AS asked(id) JOIN LATERAL (SELECT relaties.project.id AS id,
  relaties.project.client_id AS client_id,
  relaties.project.name AS name,
  relaties.project.code AS code,
  relaties.project.starts_on AS starts_on,
  relaties.project.ends_on AS ends_on,
  relaties.project.invoice_method AS invoice_method,
  relaties.project.invoice_reference AS invoice_reference,
  relaties.project.archived_at AS archived_at,
  relaties.project.version AS version
FROM relaties.project
WHERE relaties.project.tenant_id = $2::UUID AND relaties.project.client_id = asked.id ORDER BY relaties.project.id DESC,
  relaties.project.id DESC
 LIMIT $3::INTEGER) AS page ON true ORDER BY asked.id,
  page.id DESC,
  page.id DESC
