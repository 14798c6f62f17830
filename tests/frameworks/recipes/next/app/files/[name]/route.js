import { save } from "../../../../save.mjs";

export async function PUT(request, { params }) {
  const { name } = await params;
  return new Response(await save(name, request.body), { status: 201 });
}
