SELECT relaties.project.id AS id,
  relaties.project.client_id AS client_id,
  relaties.project.name AS name,
  relaties.project.code AS code,
  relaties.project.starts_on AS starts_on,
  relaties.project.ends_on AS ends_on,
  relaties.project.invoice_method AS invoice_method,
  relaties.project.invoice_reference AS invoice_reference,
  relaties.project.archived_at AS archived_at,
  relaties.project.archive_operation_id AS archive_operation_id,
  relaties.project.created_at AS created_at,
  relaties.project.updated_at AS updated_at,
  relaties.project.version AS version
FROM relaties.project
WHERE relaties.project.tenant_id = $1::UUID AND relaties.project.id = ANY ($2::UUID[])
