/** The form's texts as the request's fields: what is left empty is left out, and the server's default holds. */

export interface InviteDraft {
  label: string;
  role: string;
  expiresInSeconds: string;
  maxSeats: string;
}

export function inviteRequest(draft: InviteDraft): Record<string, string | number> {
  const request: Record<string, string | number> = { role: draft.role };
  const label = draft.label.trim();
  if (label !== '') request.label = label;
  if (draft.expiresInSeconds !== '') request.expiresInSeconds = Number(draft.expiresInSeconds);
  if (draft.maxSeats !== '') request.maxSeats = Number(draft.maxSeats);
  return request;
}
