import { Controller, Module, Param, Put, Req } from "@nestjs/common";
import { save } from "./save.mjs";

@Controller("files")
class FilesController {
  @Put(":name")
  store(@Param("name") name: string, @Req() request: object): Promise<string> {
    // Nest's request is Express' own, or Fastify's around Node's.
    return save(name, "raw" in request ? request.raw : request);
  }
}

@Module({ controllers: [FilesController] })
export class FilesModule {}
