SELECT relaties.job.member_id AS member_id,
  relaties.member.role AS member_role,
  relaties.member.is_active AS member_is_active,
  relaties.job.token_id AS token_id,
  relaties.api_token.role AS token_role,
  relaties.api_token.scope AS scope,
  relaties.api_token.expires_at AS expires_at,
  relaties.api_token.revoked_at AS revoked_at
FROM relaties.job LEFT OUTER JOIN relaties.member ON relaties.member.tenant_id = $1::UUID AND relaties.member.id = relaties.job.member_id LEFT OUTER JOIN relaties.api_token ON relaties.api_token.tenant_id = $1::UUID AND relaties.api_token.id = relaties.job.token_id
WHERE relaties.job.tenant_id = $1::UUID AND relaties.job.id = $2::UUID
